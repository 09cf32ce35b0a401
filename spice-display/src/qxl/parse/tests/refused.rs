//! What is refused, and how that is said.
