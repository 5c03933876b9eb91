//! pet-store
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod error;
pub mod hub;
pub mod live;
pub mod metrics;
pub mod model;
pub mod serve;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod views;
pub mod web;
pub mod wire;
pub mod writer;
