//! The reader over whole statements out of files. What needs no file is tested beside the code.

mod mutation;
mod statements;
