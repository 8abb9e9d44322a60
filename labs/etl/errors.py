"""What can go wrong in the ETL: one sentence each, for the person who has to act on it."""


class EtlError(Exception):
    """Base of every error that the ETL raises on purpose; its message is one sentence."""


class InvalidDay(EtlError):
    """The day asked for is not a date."""


class StoreUnavailable(EtlError):
    """A folder or a bucket can't be read or written (absent, no permission, full, unreachable)."""


class SparkUnavailable(EtlError):
    """Spark did not start."""


class MissingFile(EtlError):
    """The source has not delivered the day."""


class RefusedFile(EtlError):
    """The delivered file does not keep the contract; it was moved to quarantine."""


class EmptyFile(RefusedFile):
    """The file holds no flight."""


class WrongEncoding(RefusedFile):
    """The file is not UTF-8 text without a byte order mark."""


class WrongColumns(RefusedFile):
    """The header differs from the contract: columns missing, renamed, extra or in another order."""


class TruncatedFile(RefusedFile):
    """The file ends in the middle of a row."""


class MalformedFile(RefusedFile):
    """A row inside the file has more or fewer fields than the header."""


class WrongDay(RefusedFile):
    """The file holds flights of another day."""


class UnreadableRows(EtlError):
    """Too many rows of the day do not have the types of the contract."""


class MissingStage(EtlError):
    """A stage was asked for a day that the stage before it has not delivered."""


class MissingDay(EtlError):
    """The warehouse does not hold the day."""


class DamagedLake(EtlError):
    """A stored object is not what the lake's own records say it is."""
