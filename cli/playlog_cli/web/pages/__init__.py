"""One module per page of the site: functions that take a `Desk` and a request, and return a response."""
