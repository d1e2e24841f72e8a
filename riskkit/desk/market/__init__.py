"""Market data: ticks, bars, log returns and a live covariance, from simulated, recorded or live feeds."""

from riskkit.desk.market.feeds import Bar, RecordedBars, RecordedTicks, SimulatedTicks, Tick
from riskkit.desk.market.live_covariance import LiveCovariance
from riskkit.desk.market.stream import MarketStream

__all__ = ["Bar", "LiveCovariance", "MarketStream", "RecordedBars", "RecordedTicks", "SimulatedTicks", "Tick"]
