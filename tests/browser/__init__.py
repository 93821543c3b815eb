"""`playlog web` in a real browser, on the deployed template: what people do with it, and what attackers try."""
