//! The rules that keep the code in shape.
