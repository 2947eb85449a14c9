#include "daemon/migration/taken_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class TakenOptionsTest : public testing::Test {
 protected:
  const Properties connector_ = {{"a.one", "1"}, {"a.two", "2"}, {"b", ""}};
  const Properties worker_ = {{"a.two", "22"}, {"c", "3"}};
  TakenOptions options_{connector_, worker_};
};

TEST_F(TakenOptionsTest, OnlyWhatStandsThereIsFound) {
  EXPECT_EQ(options_.Find("b"), "") << "it has no text, but it is there";
  EXPECT_EQ(options_.Find("c"), std::nullopt) << "it is the worker's";
  EXPECT_EQ(options_.Take("b", "x"), "");
  EXPECT_EQ(options_.Take("c", "x"), "x");
}

TEST_F(TakenOptionsTest, TheConnectorsCountsInsteadOfTheWorkers) {
  EXPECT_EQ(options_.TakeShared("a.two"), "2");
  EXPECT_EQ(options_.TakeShared("b", "x"), "");
  EXPECT_EQ(options_.TakeShared("c"), "3");
  EXPECT_EQ(options_.TakeShared("d", "x"), "x");
}

TEST_F(TakenOptionsTest, WhatNobodyTookIsLeft) {
  EXPECT_EQ(options_.Left(connector_), connector_);
  (void)options_.Find("a.one");
  (void)options_.Take("b");
  (void)options_.TakeShared("c");
  (void)options_.Find("gone");
  EXPECT_THAT(options_.Left(connector_), ElementsAre(Pair("a.two", "2")));
  EXPECT_THAT(options_.Left(worker_), ElementsAre(Pair("a.two", "22")));
}

TEST_F(TakenOptionsTest, WhatWasTakenOfOneIsNotLeftOfTheOther) {
  (void)options_.Take("a.two");
  EXPECT_THAT(options_.Left(worker_), ElementsAre(Pair("c", "3")));
}

TEST_F(TakenOptionsTest, AllOfAPrefixThatAreLeftAreTaken) {
  (void)options_.Take("a.two");
  EXPECT_THAT(options_.TakeAll(connector_, "a."), ElementsAre(Pair("a.one", "1")));
  EXPECT_THAT(options_.Left(connector_), ElementsAre(Pair("b", "")));
  EXPECT_THAT(options_.TakeAll(connector_, "a."), IsEmpty());
}

TEST_F(TakenOptionsTest, BlanksAndEmptyElementsOfAListNameNothing) {
  const Properties lists = {{"list", " a,b c ,\n\td,, ,"}, {"blank", " "}};
  TakenOptions options(lists, worker_);
  EXPECT_THAT(options.TakeList("list"), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(options.TakeList("blank"), IsEmpty());
  EXPECT_THAT(options.TakeList("gone"), IsEmpty());
  EXPECT_THAT(options.Left(lists), IsEmpty());
}

}  // namespace
}  // namespace outboxd
