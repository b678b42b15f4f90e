//! Walks through the portal in a real Chromium, driven by `ChromeDriver`: with the mouse, with the keyboard only, in French, and
//! with axe-core looking at every page. Pictures of all that was seen stay in `target/walks/`.

pub mod axe;
mod driver;
mod french;
mod keyboard;
pub mod scene;
mod story;
