//! What a piece of work costs this process.

use std::{
    alloc::System,
    ops::AddAssign,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::Failure;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What some calls cost together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) calls: usize,
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Growing a block counts as one.
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
}

impl Cost {
    /// Per call.
    pub(crate) fn each(&self, total: f64) -> f64 {
        total / self.calls.max(1) as f64
    }

    pub(crate) fn micros(&self) -> f64 {
        self.each(self.cpu.as_secs_f64() * 1e6)
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.calls as f64 / self.wall.as_secs_f64()
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.allocations += other.allocations;
        self.bytes += other.bytes;
    }
}

/// Does the work and tells what it cost.
pub(crate) fn cost_of(
    calls: usize,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<Cost, Failure> {
    let (before, cpu, wall) = (ALLOCATOR.stats(), cpu_time(), Instant::now());
    work()?;
    let (after, wall) = (ALLOCATOR.stats(), wall.elapsed());
    let allocations =
        (after.allocations - before.allocations) + (after.reallocations - before.reallocations);
    Ok(Cost {
        calls,
        wall,
        cpu: cpu_time().saturating_sub(cpu),
        allocations,
        bytes: after.bytes_allocated - before.bytes_allocated,
    })
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Bytes of the heap in use.
pub(crate) fn heap() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes of the process in memory.
pub(crate) fn resident() -> Result<usize, Failure> {
    memory("VmRSS:")
}

fn memory(what: &str) -> Result<usize, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kilobytes: usize = status
        .lines()
        .find_map(|line| line.strip_prefix(what))
        .ok_or("the system does not tell the size of a process")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kilobytes * 1024)
}

/// By how many bytes something grew.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    /// The heap, at the size at which it stood longest: while all wait for their answers.
    pub(crate) heap: usize,
    /// The process, at most.
    pub(crate) process: usize,
}

/// Does the work and tells by how much heap and process grew on the way. A process can be asked
/// once: it keeps what it has freed.
pub(crate) fn growth_of(work: impl FnOnce() -> Result<(), Failure>) -> Result<Growth, Failure> {
    let (heap_before, resident_before) = (heap(), resident()?);
    let is_done = AtomicBool::new(false);
    // Made before: what it takes itself must not count.
    let mut seen = Vec::with_capacity(1_000_000);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                seen.push(heap());
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let worked = work();
        is_done.store(true, Ordering::Relaxed);
        sampler.join().map_err(|_| "the sampler panicked")?;
        worked
    })?;
    let own = seen.capacity() * size_of::<usize>();
    seen.sort_unstable();
    let stood_longest = seen.chunk_by(PartialEq::eq).max_by_key(|same| same.len());
    let heap = stood_longest.map_or(0, |same| same[0] - own);
    Ok(Growth {
        heap: heap.saturating_sub(heap_before),
        process: memory("VmHWM:")?.saturating_sub(resident_before),
    })
}
