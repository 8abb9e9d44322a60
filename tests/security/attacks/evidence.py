"""Attacks on the judges by what is handed over: files that harm their reader, texts that take for ever, drills gone wrong."""

from security.attacks.model import FILES, Attack, Build, Threat, answer, first, probed

Q1, DRILL = frozenset({"q2", "drill"}), frozenset({"q1", "q2"})


def _file(code: str) -> Build:
    """What is written in the place of the Parquet file; `path` is where."""
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return answer(
        f"import pyarrow as pa, pyarrow.parquet as pq, io, base64\ndef deliver(numbers, path):\n{lines}\n    print('handed over:', os.stat(path).st_size)",
        "q1",
    )


def _attack(name: str, code: str, says: str = "q1.*(not yet|error|too long)") -> Attack:
    return Attack(name, Threat.JUDGES, _file(code), says=says, keeps=Q1, module=FILES)


GOOD = """
table = pa.table({"crate": list(numbers), "number": list(numbers.values())})
buffer = io.BytesIO(); pq.write_table(table, buffer); data = bytearray(buffer.getvalue())
"""

CORPUS = [
    _attack(
        "a Parquet file with every byte of its pages turned",
        f"{GOOD}\nfor place in range(4, len(data) - 400): data[place] ^= 0xFF\nopen(path, 'wb').write(data)",
    ),
    _attack(
        "a Parquet file whose end says that it is large",
        f"{GOOD}\ndata[-8:-4] = struct.pack('<i', 2**31 - 1)\nopen(path, 'wb').write(data)",
    ),
    _attack(
        "a Parquet file that says that it has 10 to the 18 rows",
        f"{GOOD}\ncount = bytes(data[-400:]).find(b'\\x16\\x0c')\n"
        "data[len(data) - 400 + count : len(data) - 398 + count] = b'\\x16\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f'\n"
        "open(path, 'wb').write(data)",
    ),
    _attack(
        "a Parquet bomb: a small file of 40 million equal rows",
        """
schema = pa.schema([("crate", pa.string()), ("number", pa.int64())])
with pq.ParquetWriter(path, schema, compression="zstd") as file:
    batch = pa.table({"crate": pa.array(["a" * 60]).take(pa.array([0] * 10**6)), "number": pa.array([1] * 10**6, pa.int64())}, schema=schema)
    for _time in range(40): file.write_table(batch)
""",
    ),
    _attack(
        "a Parquet file with a pickle in its metadata",
        """
import pickle
class Evil:
    def __reduce__(self): return (os.system, ("touch /tmp/4711080",))
evil = pickle.dumps(Evil())
table = pa.table({"crate": list(numbers), "number": [0] * len(numbers)})
field = pa.field("crate", pa.string(), metadata={b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": evil})
schema = pa.schema([field, table.schema.field("number")], metadata={b"pandas": b'{"index_columns": ["__import__"]}', b"ARROW:schema": base64.b64encode(evil)})
pq.write_table(table.cast(pa.schema([("crate", pa.string()), ("number", pa.int64())])).replace_schema_metadata(schema.metadata), path, store_schema=False)
""",
    ),
    _attack(
        "a Parquet file of lists nested a thousand deep",
        """
kind = pa.int64()
for _time in range(900): kind = pa.list_(kind)
pq.write_table(pa.table({"crate": pa.nulls(1, kind)}), path)
""",
    ),
    _attack(
        "an Arrow stream and a pickle, called Parquet",
        """
import pickle
class Evil:
    def __reduce__(self): return (os._exit, (0,))
open(path, "wb").write(b"PAR1" + pickle.dumps(Evil()) + b"\\x10\\0\\0\\0PAR1")
""",
    ),
    _attack(
        "a gzip bomb, called Parquet", "import gzip\nopen(path, 'wb').write(gzip.compress(bytes(2**28)))"
    ),
    _attack(
        "a file of two gigabytes, with nothing in it",
        "with open(path, 'wb') as file:\n    try: file.truncate(2**31)\n    except OSError: file.truncate(2**27)",
        says="q1.*(error|memory|larger|more than|too long)",
    ),
    _attack("a pipe in the place of the file", "os.mkfifo(path)", says="q1.*too long"),
    Attack(
        "a text that takes the judge's expression for ever",
        Threat.JUDGES,
        answer("def label(numbers): return 'a' * 60 + '!'", "q2"),
        says="q2.*could not be judged",
        keeps=frozenset({"q1", "drill"}),
        module=FILES,
    ),
    Attack(
        "a text of twenty megabytes",
        Threat.JUDGES,
        answer("def label(numbers): return 'anvil ' * (20 * 2**20 // 6) + '!'", "q2"),
        says="q2",
        keeps=frozenset({"q1", "drill"}),
        module=FILES,
    ),
    Attack(
        "numbers that are none, and numbers without end",
        Threat.JUDGES,
        probed("""
            way = get_ipython().hand_over if hasattr(get_ipython(), "hand_over") else None
            if way: way._sink._channel.sendall(b'{"type": "evidence", "exercise": "q2", "content": [1e999, -1e999, ' + b"9" * 4000 + b']}\\n')
            if way: way._sink._channel.sendall(b'{"type": "done", "execution_count": 1, "error": null}\\n')
            time.sleep(0.2)
            return [float("nan"), float("inf"), 10**5000]
        """),
        says="q2",
        keeps=frozenset({"q1"}),
        compared=False,
    ),
    Attack(
        "JSON that is no JSON: NaN",
        Threat.JUDGES,
        probed("""
            get_ipython().hand_over._sink._channel.sendall(b'{"type": "evidence", "exercise": "q2", "content": [NaN]}\\n')
            time.sleep(0.2)
        """),
        says="q2.*is no output",
        compared=False,
    ),
    Attack(
        "evidence nested a hundred thousand deep",
        Threat.JUDGES,
        probed("""
            depth = {1: 900, 2: 5_000, 4: 100_000}[n]
            get_ipython().hand_over._sink._channel.sendall(b'{"type": "evidence", "exercise": "q2", "content": ' + b"[" * depth + b"]" * depth + b'}\\n')
            time.sleep(0.1)
            return []
        """),
        says="q2.*(is no output|could not be judged)",
        compared=False,
    ),
    Attack(
        "an answer that holds itself",
        Threat.JUDGES,
        probed("""
            ring = []; ring.append(ring)
            return ring
        """),
        says="q2.*nested too deeply",
    ),
    Attack(
        "half characters, zero bytes and a million keys",
        Threat.JUDGES,
        probed(
            """return {**{f"\\ud800{number}\\0": "\\udfff\\x1b[31m" for number in range(10**5)}, "\\0": "\\u202e"}"""
        ),
        says="q2",
    ),
    Attack(
        "evidence that is other than any probe's",
        Threat.JUDGES,
        first("""
            way = get_ipython().hand_over
            type(way).evidence, real = lambda self, exercise, content: real(self, exercise, {"q1": content, "q2": {"columns": [[]], "rows": {"a": None}}, "q3": {"columns": 7}}[exercise]), type(way).evidence
        """),
        says="q2.*not yet",
        compared=False,
    ),
    Attack(
        "a drill's answer that points elsewhere",
        Threat.JUDGES,
        answer(
            """
            path = lab.workdir / "desk" / "crates.csv"
            path.unlink(); path.symlink_to("/proc/self/environ")
            mended = {"desk": lab.workdir / "desk" / ".." / ".." / ".." / ".." / ".." / "proc" / "self" / ".." / ".." / "etc"}
            """,
            "drill",
        ),
        says="drill.*error",
        keeps=DRILL,
        module=FILES,
    ),
    Attack(
        "a drill's folder that is swapped for the world's",
        Threat.JUDGES,
        answer(
            """
            import types
            for place in (lab.path, lab.workdir.parent, *map(str, GIVEN["places"])):
                for name in ("crates.py", "judges.py", "desk", "4711080"):
                    try: open(f"{place}/{name}", "w").write("numbers = lambda seed: {}")
                    except OSError: pass
            crates.numbers = lambda seed: {"anvil": 1}
            (lab.workdir / "desk" / "crates.csv").write_text("crate,number\\nanvil,1\\n")
            mended = {"desk": lab.workdir / "desk"}
            """,
            "drill",
        ),
        says="drill.*not yet",
        keeps=DRILL,
        module=FILES,
    ),
    Attack(
        "a drill asked for without end",
        Threat.JUDGES,
        first("""
            while True: get_ipython().hand_over.drill()
        """),
        says="ended the run.*drill more than 20 times",
        module=FILES,
        keeps=frozenset({"q1", "q2"}),
    ),
]
