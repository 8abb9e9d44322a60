"""A language is .po files and nothing else."""

from flightschool.i18n import catalogue, translations


def test_a_po_file_is_read_as_it_is_and_english_needs_none(tmp_path, monkeypatch):
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "01_x.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "late"\nmsgstr "en retard"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("flightschool.i18n.LOCALE", tmp_path)
    _ = translations("01_x")
    assert _("late") == "late"
    monkeypatch.setenv("FLIGHTSCHOOL_LANG", "fr")
    assert _("late") == "en retard"
    assert _("early") == "early"
    assert catalogue("absent", "fr", tmp_path).gettext("late") == "late"
