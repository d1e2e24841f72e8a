"""Values and sensitivities of options, bonds and perpetual futures, for scenarios, ladders and hedges.

Options
    european_option, OptionValue, black76, bachelier, american_option, option_ladder, OptionLadder
    OptionBook (a book of options and forwards in scenarios)
Forwards, and books in several currencies
    forward_contract, ForwardValue, CurrencyBook
Any instrument of QuantLib in scenarios (extra `pricing`)
    PricedBook
Bonds
    bond, BondValue, key_rates, KeyRates
Futures
    continuous_futures
Perpetual futures
    liquidation_price, inverse_liquidation_price, bracket_liquidation_price, funding_rate, funding_payments
"""

from riskkit._names import suggest_names
from riskkit.instruments.bonds import BondValue, KeyRates, bond, key_rates
from riskkit.instruments.currency_book import CurrencyBook
from riskkit.instruments.european import OptionValue, bachelier, black76, european_option
from riskkit.instruments.forwards import ForwardValue, forward_contract
from riskkit.instruments.futures import continuous_futures
from riskkit.instruments.ladders import OptionLadder, option_ladder
from riskkit.instruments.lattice import american_option
from riskkit.instruments.option_book import OptionBook
from riskkit.instruments.perpetuals import (
    bracket_liquidation_price,
    funding_payments,
    funding_rate,
    inverse_liquidation_price,
    liquidation_price,
)
from riskkit.instruments.priced_book import PricedBook

__all__ = [
    "BondValue",
    "CurrencyBook",
    "ForwardValue",
    "KeyRates",
    "OptionBook",
    "OptionLadder",
    "OptionValue",
    "PricedBook",
    "american_option",
    "bachelier",
    "black76",
    "bond",
    "bracket_liquidation_price",
    "continuous_futures",
    "european_option",
    "forward_contract",
    "funding_payments",
    "funding_rate",
    "inverse_liquidation_price",
    "key_rates",
    "liquidation_price",
    "option_ladder",
]

suggest_names(
    __name__,
    {
        "european_option": "black_scholes bsm blsprice blsdelta option_greeks delta gamma vega theta",
        "american_option": "binomial_tree crr",
        "bond": "bond_price bndprice duration modified_duration dv01 convexity",
        "key_rates": "key_rate_duration",
        "forward_contract": "fx_forward currency_forward",
        "CurrencyBook": "fx_book multi_currency_book",
    },
)
