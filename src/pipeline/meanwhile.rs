//! Where another thread may come between two steps: tests let something happen there, so that the
//! orders in which threads meet are drawn from a seed and not from luck.

#[cfg(not(test))]
pub(super) fn meanwhile() {}

#[cfg(test)]
pub(super) use for_tests::{Others, meanwhile};

#[cfg(test)]
mod for_tests {
    use std::{cell::RefCell, rc::Rc};

    thread_local! {
        static OTHERS: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    }

    /// What others do meanwhile, on this thread, until it is dropped.
    pub(in crate::pipeline) struct Others(());

    impl Others {
        pub(in crate::pipeline) fn doing(others: impl Fn() + 'static) -> Self {
            OTHERS.set(Some(Rc::new(others)));
            Self(())
        }
    }

    impl Drop for Others {
        fn drop(&mut self) {
            OTHERS.take();
        }
    }

    pub(in crate::pipeline) fn meanwhile() {
        if let Some(others) = OTHERS.with_borrow(Option::clone) {
            others();
        }
    }
}
