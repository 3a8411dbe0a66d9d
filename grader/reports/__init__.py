"""Reports: pure views of one `Result`. `board` for terminals, `plain` for everything else."""

from .text import clean, next_step

__all__ = ["clean", "next_step"]
