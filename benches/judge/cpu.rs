//! What CPU time was used, from /proc.

/// The places of user and system time of this process among the fields after its name.
pub(crate) const OWN: usize = 11;
/// The same of the processes that it started, and that have ended.
pub(crate) const CHILDREN: usize = 13;

/// Milliseconds of user and system time, in ticks of 10.
pub(crate) fn millis(places: usize) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let times = fields.split_whitespace().skip(places).take(2);
    times.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
}
