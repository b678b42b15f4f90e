//! Speaking for a site.
