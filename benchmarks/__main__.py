"""Runs every benchmark beside this file and writes what they print last to docs/benchmarks.md, with the machine."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    lines = [
        "# Benchmarks",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
    ]
    failed = 0
    for path in sorted(HERE.glob("[a-z]*.py")):
        command = [sys.executable, "-m", f"benchmarks.{path.stem}"]  # by path, liquid.py would hide the library
        result = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
        last = (result.stdout.strip().splitlines() or ["(nothing printed)"])[-1]
        failed += result.returncode != 0
        print(f"{path.stem}: {last}{result.stderr[-2000:] if result.returncode else ''}")
        lines.append(f"- `{path.stem}`: `{last}`{' (failed)' if result.returncode else ''}")
    (HERE.parent / "docs" / "benchmarks.md").write_text("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
