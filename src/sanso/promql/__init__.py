"""PromQL, evaluated over frames as matrices."""
