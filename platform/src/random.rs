//! Randomness from the operating system, for keys and nonces.

/// Fills an array with random bytes.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe can be done without.
#[must_use]
#[expect(clippy::expect_used, clippy::disallowed_methods, reason = "the edge; without randomness no secret is safe")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    getrandom::fill(&mut buffer).expect("the operating system gives random bytes");
    buffer
}
