//! The most that a process ever held in memory, since it was last asked to forget.

use std::fs;

use anyhow::Context as _;

/// Forgets the highest mark of a process.
pub(super) fn forget_peak(pid: i32) -> anyhow::Result<()> {
    // proc(5): 5 resets the peak to what is held now.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("cannot reset a peak of memory")
}

/// The highest mark of a process in KiB.
pub(super) fn peak_kib(pid: i32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = mark.and_then(|mark| mark.split_whitespace().next());
    number
        .context("the kernel tells no peak of memory")?
        .parse()
        .context("the kernel's peak of memory is no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_stays_until_it_is_forgotten() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let large = vec![1_u8; 64 << 20];
        assert!(large.iter().all(|byte| *byte == 1));
        drop(large);
        let peak = peak_kib(pid).unwrap();
        assert!(peak > 64 << 10);
        forget_peak(pid).unwrap();
        assert!(peak_kib(pid).unwrap() < peak);
    }
}
