//! One way to write a test a major, or for whatever else a check takes.

/// Makes tests of a function, each with what the function is given in it: `tests! { check: works_on_13(13) works_on_18(18) }`.
macro_rules! tests {
    ($check:ident: $($name:ident($($given:expr),*))*) => {
        $(#[test]
        fn $name() {
            $check($($given),*);
        })*
    };
}
