//! Which fields a change sends.

use async_graphql::MaybeUndefined;

/// The names of the fields that a change sends, whether with a value or with null.
#[derive(Default)]
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Notes a field if it was sent, and gives its value.
    pub(super) fn takes<T>(&mut self, name: &str, value: MaybeUndefined<T>) -> Option<T> {
        if !value.is_undefined() {
            self.0.push(name.to_owned());
        }
        value.take()
    }

    /// The names, in alphabetical order.
    pub(super) fn paths(mut self) -> Vec<String> {
        self.0.sort_unstable();
        self.0
    }
}
