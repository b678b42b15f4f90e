//! What is claimed, way by way: each way has so many letters on their way at once, and none waits for another way. Pure.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Timestamp;
use crate::ledger::Notice;

/// How many letters go one way at once.
const AT_ONCE: usize = 4;

/// Something that is claimed.
#[derive(Debug)]
pub(super) struct Claimed {
    /// What it is.
    pub(super) notice: Notice,
    /// Until when it can be begun, so that it ends before it is anybody's.
    pub(super) begins_by: Timestamp,
}

/// What goes where.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<String, Lane>);

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Claimed>,
    on_their_way: usize,
}

impl Lane {
    fn is_full(&self) -> bool {
        self.on_their_way >= AT_ONCE
    }
}

impl Lanes {
    /// Queues what was claimed, each on its way.
    pub(super) fn take(&mut self, notices: Vec<Notice>, begins_by: Timestamp) {
        for notice in notices {
            let lane = self.0.entry(way(&notice)).or_default();
            lane.waiting.push_back(Claimed { notice, begins_by });
        }
    }

    /// The ways of which nothing more is wanted: what there is waits already.
    pub(super) fn busy(&self) -> Vec<String> {
        let busy = self
            .0
            .iter()
            .filter(|(_, lane)| lane.is_full() || !lane.waiting.is_empty());
        busy.map(|(way, _)| way.clone()).collect()
    }

    /// What is to set off now, each with its way.
    pub(super) fn set_off(&mut self) -> Vec<(String, Claimed)> {
        let mut off = Vec::new();
        for (way, lane) in &mut self.0 {
            while !lane.is_full() {
                let Some(next) = lane.waiting.pop_front() else { break };
                lane.on_their_way += 1;
                off.push((way.clone(), next));
            }
        }
        off
    }

    /// Notes that something has gone that way.
    pub(super) fn arrived(&mut self, way: &str) {
        let Some(lane) = self.0.get_mut(way) else { return };
        lane.on_their_way = lane.on_their_way.saturating_sub(1);
        if lane.on_their_way == 0 && lane.waiting.is_empty() {
            self.0.remove(way);
        }
    }
}

/// The way of a notice, as a claim names it.
fn way(notice: &Notice) -> String {
    notice
        .letter
        .as_ref()
        .map_or_else(String::new, |letter| letter.way.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::NoticeEvent;
    use crate::ledger::Letter;
    use crate::notices::tests::notice;

    fn letter(way: &str) -> Notice {
        let letter = (!way.is_empty()).then(|| Letter {
            way: way.to_owned(),
            to: String::new(),
        });
        Notice {
            letter,
            ..notice(NoticeEvent::Waits, "")
        }
    }

    #[test]
    fn each_way_has_some_at_once_and_no_way_waits_for_another() {
        let by = Timestamp::from_millis(1);
        let mut lanes = Lanes::default();
        let off = |lanes: &mut Lanes| lanes.set_off().into_iter().map(|(way, _)| way).collect::<Vec<_>>();
        let mut claimed = vec![letter("slow"); 6];
        claimed.extend([letter(""), letter("fast")]);
        lanes.take(claimed, by);
        assert_eq!(lanes.busy(), ["", "fast", "slow"]);
        assert_eq!(off(&mut lanes), ["", "fast", "slow", "slow", "slow", "slow"]);
        assert_eq!(lanes.busy(), ["slow"]);
        lanes.arrived("fast");
        lanes.take(vec![letter("fast")], by);
        assert_eq!(off(&mut lanes), ["fast"]);
        lanes.arrived("slow");
        assert_eq!(
            (off(&mut lanes), lanes.busy()),
            (vec!["slow".to_owned()], vec!["slow".to_owned()])
        );
        for way in ["", "fast", "slow", "slow", "slow", "slow"] {
            lanes.arrived(way);
        }
        assert_eq!((off(&mut lanes), lanes.busy()), (vec!["slow".to_owned()], vec![]));
    }
}
