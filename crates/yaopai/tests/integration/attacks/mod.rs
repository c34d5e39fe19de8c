//! Whoever has got hold of something that isn't theirs, and what they can do with it.

mod pushes;
mod step_up;
