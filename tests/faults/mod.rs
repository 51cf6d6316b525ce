//! Real stores killed, stopped, filled, failed over, restored: errors are `Unavailable`, never a wrong verdict.

mod redis;
