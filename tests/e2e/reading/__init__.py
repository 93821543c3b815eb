"""Reports, lists and audits of the deployed stack."""
