//! How what may get more fields is made elsewhere: from what has only what it must have, by a method for each other field.

/// For each field a method of its name, which gives the value with it: what it takes, and what then stands in the field.
macro_rules! setters {
    ($($field:ident: $argument:ty => $value:expr,)*) => { $(
        #[doc = concat!("This, with [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: $argument) -> Self {
            self.$field = $value;
            self
        }
    )* };
}

pub(crate) use setters;
