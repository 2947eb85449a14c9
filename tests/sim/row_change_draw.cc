#include "tests/sim/row_change_draw.h"

namespace outboxd::sim {

using Kind = RowChange::Kind;

std::vector<RowChangeDraw::Choice> RowChangeDraw::Choices() const {
  std::vector<Choice> choices;
  if (kinds_.deletes) choices.insert(choices.end(), 3, Choice::kDelete);
  if (kinds_.moves) choices.insert(choices.end(), 3, Choice::kMove);
  if (kinds_.updates) choices.push_back(Choice::kUpdate);
  if (kinds_.replaces) choices.push_back(Choice::kReplace);
  return choices;
}

void RowChangeDraw::Append(const RowChange& change, std::vector<RowChange>& changes) {
  Apply(change, table_);
  changes.push_back(change);
}

void RowChangeDraw::Draw(std::vector<RowChange>& changes, const AddEvent& add_event) {
  const std::uint64_t seq = random_.Below(keys_);
  if (locked_.contains(seq)) return;
  const auto at = table_.rows.find(seq);
  if (at == table_.rows.end()) return Append({Kind::kInsert, add_event(), seq, seq}, changes);
  const auto [event, version] = at->second;
  const std::vector<Choice> choices = Choices();
  if (choices.empty()) return;
  switch (choices[random_.Below(choices.size())]) {
    case Choice::kDelete:
      return Append({Kind::kDelete, event, seq, seq, version}, changes);
    case Choice::kUpdate:
      return Append({Kind::kUpdate, event, seq, seq, version}, changes);
    case Choice::kReplace:
      Append({Kind::kDelete, event, seq, seq, version}, changes);
      return Append({Kind::kInsert, add_event(), seq, seq}, changes);
    case Choice::kMove: {
      const std::uint64_t to = random_.Below(keys_);
      if (locked_.contains(to) || table_.rows.contains(to)) return;
      return Append({Kind::kMove, event, seq, to, version}, changes);
    }
  }
}

}  // namespace outboxd::sim
