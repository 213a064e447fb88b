//! Enums that mirror those of the protos.

/// Declares enums of the protos without the prefix of their values and without the value that is
/// never sent. A number this build does not know is not guessed at.
macro_rules! mirror {
    ($(
        $(#[$doc:meta])*
        $name:ident of $proto:path, $owner:expr => {
            $($(#[$value_doc:meta])* $value:ident,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(async_graphql::Enum, Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl From<$name> for $proto {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$value => Self::$value,)*
                }
            }
        }

        impl $name {
            /// By the number in a message.
            pub(super) fn read(number: i32) -> super::error::Result<Self> {
                use $proto as Proto;
                super::error::required(match Proto::try_from(number) {
                    $(Ok(Proto::$value) => Some(Self::$value),)*
                    Ok(Proto::Unspecified) | Err(_) => None,
                }, $owner)
            }
        }
    )*};
}
pub(super) use mirror;
