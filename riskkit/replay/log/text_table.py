"""A CSV or TSV table as columns that convert fast and lose nothing: integers, repeated texts by their code, other texts."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskkit._files import reading
from riskkit.replay.log.packed import unpacked

if TYPE_CHECKING:
    import pandas as pd

DATES = (19_000_101, 20_991_231)  # without dashes
MANY = 2  # a text occurs so often on average, or the column stays one of texts


def read_text_table(path: Path, separator: str, integers: bool = True) -> pd.DataFrame:
    r"""Read a table with a heading; only an empty cell is missing ("NA" and "null" are names).

    With `integers`, a column whose texts are all integers as Python writes them ("7", not "007" or "+7") is one of
    integers, unless they may be dates (20240305); every other number stays a text, so that 0.1 is 0.1.

    Raises
    ------
    InputError
        If a row has more or fewer cells than the heading, a quotation mark is not closed, or the file is no UTF-8.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_text("ts,price,id\n5,0.10,007\n")
    ...     read_text_table(Path(folder, "a.csv"), ",").values.tolist()
    [[5, '0.10', '007']]
    """
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv

    form = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    with reading(path.name, "a table"):
        content = unpacked(path.read_bytes(), path.name)
        if content.count(b'"') % 2:
            raise pa.ArrowInvalid("a quotation mark is not closed")
        try:
            heading = csv.open_csv(io.BytesIO(content), parse_options=form).schema.names
            texts = csv.ConvertOptions(
                column_types=dict.fromkeys(heading, pa.string()), null_values=[""], strings_can_be_null=True
            )  # fmt: skip
            table = csv.read_csv(io.BytesIO(content), parse_options=form, convert_options=texts)
        except pa.ArrowInvalid as torn:  # on one core it numbers the row, on several it does not
            raise pa.ArrowInvalid(re.sub(r"Row #\d+: ", "", str(torn))) from None
    columns = [_exact(column, integers) for column in table.columns]
    return pd.concat(columns, axis=1, keys=range(len(columns))).set_axis(table.column_names, axis=1)


def _exact(column: Any, integers: bool) -> pd.Series:
    """A column of texts as integers if it loses nothing, by codes if texts repeat, else as it is."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import compute

    if integers and not column.null_count and len(column):
        try:
            whole = column.cast(pa.int64())
            dates = compute.min(whole).as_py() >= DATES[0] and compute.max(whole).as_py() <= DATES[1]
            if not dates and compute.all(compute.equal(whole.cast(pa.string()), column)).as_py():
                return pd.Series(whole.to_numpy())
        except pa.ArrowInvalid:
            pass
    if len(column) >= MANY * compute.count_distinct(column).as_py():
        return column.dictionary_encode().to_pandas()
    return column.to_pandas()
