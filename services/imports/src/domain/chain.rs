//! Whether a running balance follows from the amounts of the rows: the strongest proof of their
//! signs there is.

/// How often a balance followed from the row before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Pairs of rows with both balances and an amount other than zero.
    pub(super) steps: u64,
    /// Rows in order of time: the balance is the one above plus the amount.
    pub(super) rising: u64,
    /// The same with the amount's sign turned.
    pub(super) rising_inverted: u64,
    /// Newest first: the balance above is this one plus the amount above.
    pub(super) falling: u64,
    pub(super) falling_inverted: u64,
    /// Steps from or to a balance of nothing: any two columns of which one repeats the other step
    /// so, and where nobody calls one of them a balance it is no proof.
    empty: u64,
    /// Rows that repeat the balance, and it again as their amount.
    pub(super) restated: u64,
    /// The balance of the first row, and whether the second row followed from it.
    first: Option<i128>,
    first_followed: bool,
}

/// The row before.
#[derive(Clone, Copy, Default)]
pub(super) struct Last {
    balance: Option<i128>,
    /// The amount of the row with that balance.
    own: i128,
    /// The amounts of later rows, which have none: many banks state one balance a day.
    since: i128,
}

/// What a balance says of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It follows with the plan's signs.
    Follows,
    /// It follows with the signs turned.
    Inverted,
    /// Both or neither; nothing can be told.
    Silent,
}

impl Chain {
    /// Whether it follows in every single row.
    pub(super) fn exact(&self, direction: Option<bool>) -> bool {
        self.steps > 1 && self.followed(direction) == self.steps
    }

    /// Whether it follows in every single row, in whatever order and with whatever sign.
    pub(super) fn never_broken(&self) -> bool {
        let counts = [
            self.rising,
            self.rising_inverted,
            self.falling,
            self.falling_inverted,
        ];
        counts.contains(&self.steps)
    }

    /// In how many rows it follows.
    pub(super) fn followed(&self, direction: Option<bool>) -> u64 {
        match direction {
            Some(true) => self.rising,
            Some(false) => self.falling,
            None => self.rising.max(self.falling),
        }
    }

    /// Whether the first row is a heading that states the opening balance as its amount and the
    /// closing one as its balance: nothing follows from it, and all amounts together give it.
    pub(super) fn headed_by_totals(&self, total: i128) -> bool {
        self.steps > 1 && !self.first_followed && self.first == Some(total)
    }

    /// `direction` is how the dates run through the file, which tells a balance after the row from
    /// one before it.
    pub(super) fn proof(&self, direction: Option<bool>, named: bool) -> Proof {
        if !named && self.steps == self.empty {
            return Proof::Silent;
        }
        // A balance before each row steps as one behind it does in a file turned upside down; only
        // the dates tell them apart, and every step has to agree.
        let before = match direction {
            Some(true) => (self.falling_inverted, self.rising),
            Some(false) => (self.rising_inverted, self.falling),
            None => (0, 0),
        };
        // Equal amounts one behind the other step as both.
        if !named && before.0 > 0 && before.0 == self.steps && before.1 * 4 <= before.0 {
            return Proof::Follows;
        }
        let (straight, inverted) = match direction {
            Some(true) => (self.rising, self.rising_inverted),
            Some(false) => (self.falling, self.falling_inverted),
            None => (
                self.rising.max(self.falling),
                self.rising_inverted.max(self.falling_inverted),
            ),
        };
        // Six of ten: gaps and rows of other accounts are forgiven, chance is not.
        let enough = |count: u64, rival: u64| count * 10 >= self.steps * 6 && rival * 4 <= count;
        match (straight > 0, inverted > 0) {
            (true, _) if enough(straight, inverted) => Proof::Follows,
            (_, true) if enough(inverted, straight) => Proof::Inverted,
            _ => Proof::Silent,
        }
    }

    /// Goes on by one row; whether its balance follows from the one before under the plan's signs.
    pub(super) fn step(
        &mut self,
        last: &mut Last,
        balance: Option<i128>,
        amount: Option<i128>,
    ) -> bool {
        let mut followed = false;
        // A row without an amount does not break the chain.
        let Some(amount) = amount else { return false };
        let Some(balance) = balance else {
            last.since += amount;
            return false;
        };
        // Rows without a balance have moved it, or are pending and have not.
        let (up, down) = (last.since + amount, last.own + last.since);
        if let Some(before) = last.balance
            && (amount != 0 || last.own != 0 || last.since != 0)
        {
            let delta = balance - before;
            let rises =
                |sign: i128| delta == sign * up && up != 0 || delta == sign * amount && amount != 0;
            let falls = |sign: i128| {
                -delta == sign * down && down != 0 || -delta == sign * last.own && last.own != 0
            };
            let (rising, rising_inverted) = (rises(1), rises(-1));
            let (falling, falling_inverted) = (falls(1), falls(-1));
            if self.steps == 0 {
                self.first_followed = rising || rising_inverted || falling || falling_inverted;
            }
            followed = rising || falling;
            self.steps += 1;
            self.empty += u64::from(before == 0 || balance == 0);
            self.rising += u64::from(rising);
            self.rising_inverted += u64::from(rising_inverted);
            self.falling += u64::from(falling);
            self.falling_inverted += u64::from(falling_inverted);
            let repeats =
                |amount: i128, balance: i128| amount != 0 && amount.abs() == balance.abs();
            self.restated +=
                u64::from(delta == 0 && (repeats(amount, balance) || repeats(last.own, before)));
        }
        if last.balance.is_none() && last.since == 0 {
            self.first = Some(balance);
        }
        *last = Last {
            balance: Some(balance),
            own: amount,
            since: 0,
        };
        followed
    }
}
