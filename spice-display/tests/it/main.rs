//! A worker, its guest and its viewers in one thread, with a virtual clock and links of any speed.

mod hostile;
mod lab;
mod recordings;
mod scene;
mod viewers;
