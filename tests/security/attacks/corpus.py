"""All attacks."""

from security.attacks import evidence, files, marks, pages, processes, reach, resources, system

CORPUS = (
    *marks.CORPUS,
    *reach.CORPUS,
    *processes.CORPUS,
    *resources.CORPUS,
    *system.CORPUS,
    *evidence.CORPUS,
    *files.CORPUS,
    *pages.CORPUS,
)
