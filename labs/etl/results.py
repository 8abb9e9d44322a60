"""What a stage says when it is done."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class StageResult:
    """Rows and seconds of one stage; ``rows_in == rows_out + duplicates + rejected`` for every stage."""

    stage: str
    day: date
    rows_in: int
    rows_out: int
    duplicates: int
    rejected: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.stage} {self.day}: {self.rows_in} rows in, {self.rows_out} out, "
            f"{self.duplicates} duplicates, {self.rejected} rejected, {self.seconds:.2f} s"
        )
