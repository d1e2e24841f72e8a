"""Reports for committees: each call writes one self-contained HTML file, which a browser prints as PDF.

`tear_sheet` is on the risk of a book, `validation` on a VaR model under review, `limits` on what the limits of a replay
refused, `annual_review` on a year of limits, `write_report` on a comparison of a log without and with limits.
"""

from riskkit._names import suggest_names
from riskkit.report.annual_review import annual_review
from riskkit.report.comparison import report_html, write_report
from riskkit.report.limits import limits
from riskkit.report.tear_sheet import tear_sheet
from riskkit.report.validation import validation

__all__ = ["annual_review", "limits", "report_html", "tear_sheet", "validation", "write_report"]

suggest_names(
    __name__,
    {
        "tear_sheet": "tearsheet html full_report create_full_tear_sheet full_tear_sheet risk_report reports_html",
        "limits": "limits_report",
        "validation": "var_report validation_report model_validation",
        "annual_review": "self_assessment",
    },
)
