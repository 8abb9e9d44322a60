"""Other graders, measured beside ours: nbgrader and otter-grader, each in an environment of its own.

`nbgrader_course` and `otter_run` grade notebooks with them; `attack` looks at what a hostile notebook does to them. All need
`light`, the course that is graded.
"""
