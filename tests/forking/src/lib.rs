//! Runs a part of a test in a forked child.

#![cfg(unix)]

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The longest that a child may take, in seconds; then the system ends it.
const PATIENCE: libc::c_uint = 60;

/// Runs `work` in a forked child; gives whether it came to its end there without a panic.
///
/// # Errors
///
/// The system refuses to fork, or loses the child.
pub fn in_child(work: impl FnOnce()) -> io::Result<bool> {
    // SAFETY: the child has this thread only. It runs `work`, which the test keeps to what works
    // there (no lock that another thread may hold), and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    if child == 0 {
        // SAFETY: it only sets a timer of this process.
        unsafe { libc::alarm(PATIENCE) };
        let done = catch_unwind(AssertUnwindSafe(work)).is_ok();
        // SAFETY: it ends the process and does not come back. What the parent has registered to be
        // run at its end is not run in the child.
        unsafe { libc::_exit(i32::from(!done)) };
    }
    let mut status = 0;
    // SAFETY: `child` is a child of this process that nobody else waits for, and `status` is where
    // the system may write.
    if unsafe { libc::waitpid(child, &raw mut status, 0) } != child {
        return Err(io::Error::last_os_error());
    }
    Ok(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0)
}
