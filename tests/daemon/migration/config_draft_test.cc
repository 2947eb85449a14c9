#include "daemon/migration/config_draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;

TEST(ConfigDraftTest, SectionsStandAsTheyWereBegun) {
  ConfigDraft draft;
  draft.Begin("relay");
  draft.Set("name", "shop");
  draft.Begin("mysql");
  draft.Comment("host = HOST");
  draft.Set("port", "3307");
  EXPECT_EQ(draft.Text(), "[relay]\nname = shop\n\n[mysql]\n# host = HOST\nport = 3307\n");
}

TEST(ConfigDraftTest, NotesStandInFrontAndWhatIsNotNeededAtTheEnd) {
  ConfigDraft draft;
  draft.Begin("relay");
  draft.NoteUnneeded("tasks.max: it is one");
  draft.Note("see to it");
  draft.NoteMissing("mysql.host has to be set");
  EXPECT_EQ(draft.Text(),
            "# To do, and to know:\n# - see to it\n# - mysql.host has to be set\n\n[relay]\n\n"
            "# Options that are needed no more:\n# - tasks.max: it is one\n");
}

TEST(ConfigDraftTest, WhatIsMissingIsANoteToo) {
  ConfigDraft draft;
  draft.Note("one");
  draft.NoteMissing("two");
  draft.NoteUnneeded("three");
  EXPECT_THAT(draft.notes(), ElementsAre("one", "two"));
  EXPECT_THAT(draft.missing(), ElementsAre("two"));
}

TEST(ConfigDraftTest, AValueThatNoLineCanHoldIsANote) {
  for (const char* value : {"a\nb", "a\rb", "a #b"}) {
    ConfigDraft draft;
    draft.Begin("outbox");
    draft.Set("id", value);
    EXPECT_THAT(draft.notes(), ElementsAre("id: its value holds a line feed or ' #', which this "
                                           "file cannot hold"));
  }
  ConfigDraft draft;
  draft.Begin("outbox");
  draft.Set("id", "a#b");
  EXPECT_EQ(draft.Text(), "[outbox]\nid = a#b\n");
}

}  // namespace
}  // namespace outboxd
