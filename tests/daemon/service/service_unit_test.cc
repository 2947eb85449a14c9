#include "daemon/service/service_unit.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(ServiceUnitTest, AWordIsAnInstanceOfTheTemplateAndADotMakesAWholeName) {
  EXPECT_EQ(UnitNameOf("shop"), "outboxd@shop.service");
  EXPECT_EQ(UnitNameOf("outboxd@shop"), "outboxd@shop.service");
  EXPECT_EQ(UnitNameOf("outboxd@shop.service"), "outboxd@shop.service");
  EXPECT_EQ(UnitNameOf("relay.service"), "relay.service");
}

TEST(ServiceUnitTest, TheShortNameNamesTheSameUnit) {
  EXPECT_EQ(ShortUnitName("outboxd@shop.service"), "shop");
  for (const char* name : {"outboxd@shop.service", "outboxd@shop.eu.service", "relay.service",
                           "outboxd@.service", "outboxd.service"}) {
    EXPECT_EQ(UnitNameOf(ShortUnitName(name)), name);
  }
}

}  // namespace
}  // namespace outboxd
