"""Descriptions of the parameters that the reports share."""

from riskkit._docs import shared_parameters

documented = shared_parameters(
    {
        "path": "str or Path\n    File to write; parent folders are created.",
        "tz": "str\n    Time zone of hours and times.",
        "confidence": "float\n    0.99 for 99 %, of VaR and ES.",
        "title": "str\n    Heading of the page.",
        "remarks": "sequence of str\n    Sentences to add to the page.",
    },
    returns="Path\n    The file. Equal arguments give equal bytes.",
)
