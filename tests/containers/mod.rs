//! Servers and lifeboat in containers, as they meet there.

mod empty_image;
mod published_port;
