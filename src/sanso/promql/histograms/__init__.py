"""Native histograms as a PromQL value: a table of them, and the operations that PromQL knows, on all at once."""
