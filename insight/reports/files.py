"""A report as a file of whatever form.

In: a report, a form. Out: bytes.
Not known here: how each form is written.
"""

from datetime import tzinfo

from insight.reports.types import Form, Report


def file_of(report: Report, form: Form, zone: tzinfo) -> bytes:
    """Write it. Blocks, up to some seconds. Raises `NoFont`.

    The libraries are read in when the first file is wanted: a server starts without them.
    """
    if form is Form.PDF:
        from insight.reports.pdf_file import pdf_of

        return pdf_of(report, zone)
    if form is Form.WORD:
        from insight.reports.word_file import word_of

        return word_of(report, zone)
    from insight.reports.excel_file import excel_of

    return excel_of(report, zone)
