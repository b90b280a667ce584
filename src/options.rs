//! Structs of options, which may get more fields: what a caller fills in begins with the defaults, and is changed by methods.

/// Makes a struct of options from one list of fields and their defaults: the struct, its `Default`, and for each field the
/// method of its name, which takes a value and gives the options with it.
macro_rules! options {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[$field_about:meta])* pub $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$about])*
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            $($(#[$field_about])*
            #[must_use]
            pub fn $field(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            })*
        }
    };
}

pub(crate) use options;
