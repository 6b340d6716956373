//! What Rust puts into sections, without its standard library.
#![no_std]
#![crate_type = "lib"]

use core::sync::atomic::{AtomicU32, Ordering};

static TC_ZEROED: AtomicU32 = AtomicU32::new(0);
static TC_INITIALISED: [AtomicU32; 4] = [AtomicU32::new(1), AtomicU32::new(2), AtomicU32::new(3), AtomicU32::new(4)];
static TC_CONSTANT: [u32; 40] = [7; 40];
static TC_NAMES: [&str; 4] = ["tc_one", "tc_two", "tc_three", "tc_four"];

pub trait TcTrait {
    fn tc_method(&self) -> u32;
}
impl TcTrait for u32 {
    fn tc_method(&self) -> u32 {
        *self + 1
    }
}

#[no_mangle]
pub fn tc_plain(n: usize) -> u32 {
    TC_ZEROED.fetch_add(1, Ordering::SeqCst) + TC_INITIALISED[n].load(Ordering::SeqCst) + TC_CONSTANT[n]
}

#[no_mangle]
pub fn tc_named(n: usize) -> &'static str {
    TC_NAMES[n]
}

#[no_mangle]
pub fn tc_literal(x: f64) -> f64 {
    x * 3.25 + 0.1
}

#[no_mangle]
pub fn tc_object(x: &'static u32) -> &'static dyn TcTrait {
    x
}

#[cold]
#[no_mangle]
#[inline(never)]
pub fn tc_cold(x: Option<u32>) -> u32 {
    x.unwrap()
}
