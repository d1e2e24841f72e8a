"""Schema: the columns and kinds of events, instruments and accounts, trading days, scopes, constants and digests."""
