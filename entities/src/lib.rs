//! The database room: rows, the finders that every reader goes through, and the only functions that write rows.
//! `find` is for callers and always scoped; `work` is for the worker, which serves every tenant; `store` writes.

pub mod database;
pub mod error;
pub mod find;
pub mod page;
pub mod rows;
pub mod scope;
pub mod store;
pub mod work;

pub use database::Database;
pub use error::StoreError;
pub use scope::Scope;
