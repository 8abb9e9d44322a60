"""Write docs/grades.schema.json: `python -m flightschool.grading.reports`."""

from flightschool import paths
from flightschool.data.writing import atomic
from flightschool.grading.reports.records import schema

with atomic(paths.ROOT / "docs" / "grades.schema.json") as file:
    file.write(schema().encode())
