"""Reports for committees: each call writes one self-contained HTML file, which a browser prints as PDF.

`tear_sheet` is on the risk of a book, `limits` on what the limits of a replay refused, `write_report` on a comparison of a
log without and with limits.
"""

from riskkit.report.comparison import report_html, write_report
from riskkit.report.limits import limits
from riskkit.report.tear_sheet import tear_sheet

__all__ = ["limits", "report_html", "tear_sheet", "write_report"]
