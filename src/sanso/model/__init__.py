"""Plain values that every room shares: labels, frames, rows, answers, readings, clocks, units, errors."""
