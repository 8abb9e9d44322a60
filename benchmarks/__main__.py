"""All benchmarks, one after the other, or one by its name with its own options.

python benchmarks [NAME [OPTION]...]
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ALL = ("setup", "check", "engine", "sandbox", "run", "grading", "attacks", "kills", "services")


def main(words: list[str]) -> int:
    """Run them; 1 when one of them fails."""
    if words and words[0] not in ALL:
        print(f"There is no benchmark {words[0]!r}. Choose one of: {', '.join(ALL)}.", file=sys.stderr)
        return 2
    status = 0
    for name in words[:1] or ALL:
        print(f"── {name}", flush=True)
        status |= (
            subprocess.run([sys.executable, HERE / f"{name}.py", *words[1:]], check=False).returncode != 0
        )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
