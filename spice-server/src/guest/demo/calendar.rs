//! Spans and moments as text.

use core::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// The time of day, `23:59:59`.
pub(super) fn time_of_day(since_midnight: Duration) -> String {
    let seconds = since_midnight.as_secs() % DAY;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A span, `2 days 23:59:59`.
pub(super) fn span(span: Duration) -> String {
    match span.as_secs() / DAY {
        0 => time_of_day(span),
        1 => format!("1 day {}", time_of_day(span)),
        days => format!("{days} days {}", time_of_day(span)),
    }
}

/// The moment `since_epoch` after the start of 1970 in UTC, `Thu 1970-01-01 00:00:00 UTC`.
pub(super) fn moment(since_epoch: Duration) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = since_epoch.as_secs() / DAY;
    let weekday = WEEKDAYS[(days % 7) as usize];
    let (year, month, day) = date(days);
    format!("{weekday} {year:04}-{month:02}-{day:02} {} UTC", time_of_day(since_epoch))
}

/// Year, month and day of the day that is `days` after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    /// From 0000-03-01, where a cycle of 400 years begins, to 1970-01-01.
    const TO_EPOCH: u64 = 719_468;
    const CYCLE: u64 = 146_097;
    let days = days + TO_EPOCH;
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    // Years begin in March, so that the day of a leap year is the last of its year.
    let year = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // From March on, every five months have 153 days.
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (cycle * 400 + year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{moment, span};

    #[test]
    fn moments() {
        let cases = [
            (0, "Thu 1970-01-01 00:00:00 UTC"),
            (951_782_399, "Mon 2000-02-28 23:59:59 UTC"),
            (951_868_799, "Tue 2000-02-29 23:59:59 UTC"),
            (951_868_800, "Wed 2000-03-01 00:00:00 UTC"),
            (1_704_067_199, "Sun 2023-12-31 23:59:59 UTC"),
            (4_107_542_400, "Mon 2100-03-01 00:00:00 UTC"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(moment(Duration::from_secs(seconds)), expected);
        }
        assert!(moment(Duration::MAX).ends_with("UTC"));
    }

    #[test]
    fn spans() {
        assert_eq!(span(Duration::from_secs(59)), "00:00:59");
        assert_eq!(span(Duration::from_secs(90_061)), "1 day 01:01:01");
        assert_eq!(span(Duration::from_secs(200_000)), "2 days 07:33:20");
    }
}
