"""What bench/run is made of. docs/design/performance.md says what is measured, and how."""
